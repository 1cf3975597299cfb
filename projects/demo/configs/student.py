# The student: the RGB baseline, clip for clip and epoch for epoch; only the loss differs.
_base_ = ['mmdistill::distill/swin_ek100_rgbflowobj.py', './_base_/sizes.py']

data_root = 'data/demo/'
expert_dir = 'work_dirs/demo'
train_dataloader = _base_.demo_all
val_dataloader = _base_.demo_test
test_dataloader = _base_.demo_test
holdout_dataloader = _base_.demo_test

model = dict(tasks=None, recognizer=dict(_delete_=True, **_base_.demo_recognizer))
teacher = dict(
    experts=dict(
        rgb=dict(config='projects/demo/configs/rgb.py', checkpoint='work_dirs/demo/rgb/best_*.pth'),
        flow=dict(
            config='projects/demo/configs/flow.py', checkpoint='work_dirs/demo/flow/best_*.pth'
        ),
        obj=dict(config='projects/demo/configs/obj.py', checkpoint='work_dirs/demo/obj/best_*.pth'),
    )
)
load_from = None
train_cfg = dict(_base_.demo_train_cfg, max_epochs=_base_.demo_student_epochs)
optim_wrapper = _base_.demo_optimizer
param_scheduler = _base_.demo_student_schedule
