# An audio expert, which `make demo` does not train: as configs/unimodal/swin_ek100_audio.py, at the
# demo's sizes.
_base_ = ['mmdistill::unimodal/swin_ek100_audio.py', './_base_/sizes.py']

data_root = 'data/demo/'
train_dataloader = _base_.demo_train
val_dataloader = _base_.demo_test
test_dataloader = _base_.demo_test
holdout_dataloader = _base_.demo_test

normalised = dict(_base_.demo_recognizer.data_preprocessor, mean=[0.0] * 3, std=[1.0] * 3)
model = dict(_delete_=True, **dict(_base_.demo_recognizer, data_preprocessor=normalised))
load_from = None
train_cfg = _base_.demo_train_cfg
optim_wrapper = _base_.demo_optimizer
param_scheduler = _base_.demo_schedule
