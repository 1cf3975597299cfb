# The flow expert: as configs/unimodal/swin_ek100_flow.py, at the demo's sizes.
_base_ = ['./rgb.py']

flow = dict(dataset=dict(pipeline=dict(load=dict(inputs='flow'))))
train_dataloader = flow
val_dataloader = flow
test_dataloader = flow
train_cfg = dict(_base_.demo_train_cfg, max_epochs=_base_.demo_flow_epochs)
param_scheduler = _base_.demo_flow_schedule
model = dict(data_preprocessor=dict(mean=[128.0, 128.0, 128.0], std=[12.0, 12.0, 12.0]))
