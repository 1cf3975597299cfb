_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/ek100.py',
    '../_base_/models/stlt_ek100.py',
    '../_base_/schedules/adamw_30e.py',
]

obj = dict(dataset=dict(pipeline=dict(load=dict(inputs='obj'))))
train_dataloader = obj
val_dataloader = obj
test_dataloader = obj
