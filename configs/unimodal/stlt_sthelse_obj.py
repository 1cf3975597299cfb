_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/sthelse.py',
    '../_base_/models/stlt_ek100.py',
    '../_base_/schedules/adamw_30e.py',
]

head = dict(_base_.head, num_classes=174)
# Two categories of boxes: hand and object.
model = dict(cls_head=dict(encoder=dict(num_categories=2), heads=dict(_delete_=True, action=head)))
obj = dict(dataset=dict(pipeline=dict(load=dict(inputs='obj'))))
train_dataloader = obj
val_dataloader = obj
test_dataloader = obj
