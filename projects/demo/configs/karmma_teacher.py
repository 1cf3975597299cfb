# KARMMA's teacher at the demo's sizes: three frozen experts, a transformer over their tokens.
_base_ = ['mmdistill::fusion/karmma-teacher_ek100_rgbflowobj.py', './_base_/sizes.py']

data_root = 'data/demo/'
expert_dir = 'work_dirs/demo'
train_dataloader = _base_.demo_train
holdout_dataloader = val_dataloader = test_dataloader = _base_.demo_test

folder, files = 'projects/demo/configs', 'work_dirs/demo'
trained = dict(
    rgb=dict(config=f'{folder}/rgb.py', checkpoint=f'{files}/rgb/best_*.pth'),
    flow=dict(config=f'{folder}/flow.py', checkpoint=f'{files}/flow/best_*.pth'),
    obj=dict(config=f'{folder}/obj.py', checkpoint=f'{files}/obj/best_*.pth'),
)
width = 64
head = dict(in_channels=width, num_classes=8)
model = dict(
    extractors=trained,
    fusion=dict(
        in_channels=dict(rgb=128, flow=128, obj=64), embed_dims=width, num_tokens=4, num_heads=4
    ),
    cls_head=dict(embed_dims=width, heads=dict(verb=head, noun=head)),
)
# The experts have learned already.
epochs = 30
train_cfg = dict(_base_.demo_train_cfg, max_epochs=epochs)
optim_wrapper = _base_.demo_optimizer
param_scheduler = [_base_.warm_up, dict(_base_.cosine, end=epochs, T_max=epochs - 2)]
