# KARMMA's student at the demo's sizes; its teacher is karmma_teacher.py.
_base_ = ['mmdistill::distill/karmma_ek100_rgbflowobj.py', './_base_/karmma.py']

expert_dir = 'work_dirs/demo'
model = dict(recognizer=dict(_delete_=True, **_base_.demo_network))
fused = dict(config='projects/demo/configs/karmma_teacher.py')
fused['checkpoint'] = 'work_dirs/demo/karmma_teacher/best_*.pth'
teacher = dict(experts=dict(fused=fused))

data_root = 'data/demo/'
train_dataloader = _base_.demo_all
holdout_dataloader = val_dataloader = test_dataloader = _base_.demo_test
load_from = None
train_cfg = _base_.karmma_cfg
optim_wrapper = _base_.demo_optimizer
param_scheduler = _base_.karmma_schedule
