# A baseline of KARMMA at the demo's sizes: labels alone, with modalities dropped.
_base_ = ['mmdistill::fusion/dropout_ek100_rgbflowobj.py', './_base_/karmma.py']

model = dict(_delete_=True, **_base_.demo_network)

data_root = 'data/demo/'
train_dataloader = _base_.demo_train
holdout_dataloader = val_dataloader = test_dataloader = _base_.demo_test
load_from = None
train_cfg = _base_.fusion_cfg
optim_wrapper = _base_.demo_optimizer
param_scheduler = _base_.fusion_schedule
