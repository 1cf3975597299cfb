# The RGB baseline, which is also the teacher's RGB expert.
_base_ = ['mmdistill::unimodal/swin_ek100_rgb.py', './_base_/sizes.py']

data_root = 'data/demo/'
train_dataloader = _base_.demo_train
val_dataloader = _base_.demo_test
test_dataloader = _base_.demo_test
holdout_dataloader = _base_.demo_test

model = dict(_delete_=True, **_base_.demo_recognizer)
load_from = None
train_cfg = _base_.demo_train_cfg
optim_wrapper = _base_.demo_optimizer
param_scheduler = _base_.demo_schedule
