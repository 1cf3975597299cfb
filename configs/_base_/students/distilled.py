# What every student shares: the wrapper, the loss and the paper's recipe.
_base_ = ['../default_runtime.py', '../schedules/adamw_30e.py']

# lambda * T^2 * KL(teacher || student) + (1 - lambda) * CE
model = dict(
    type='mmdistill.StudentRecognizer',
    losses=dict(
        soft_target=dict(type='mmdistill.SoftTargetLoss', temperature=1.0, loss_weight=0.9)
    ),
    label_weight=0.1,
)
