# The detection expert: as configs/unimodal/stlt_ek100_obj.py, at the demo's sizes.
_base_ = ['mmdistill::unimodal/stlt_ek100_obj.py', './_base_/sizes.py']

data_root = 'data/demo/'
train_dataloader = _base_.demo_train
val_dataloader = _base_.demo_test
test_dataloader = _base_.demo_test
holdout_dataloader = _base_.demo_test

embed_dims = 64
head = dict(in_channels=embed_dims, num_classes=8)
model = dict(
    cls_head=dict(
        encoder=dict(
            num_categories=9,
            embed_dims=embed_dims,
            num_layers=(2, 2),
            num_heads=4,
            dropout=0.1,
            causal=False,
        ),
        heads=dict(verb=head, noun=head),
    )
)
train_cfg = dict(_base_.demo_train_cfg, max_epochs=_base_.demo_obj_epochs)
optim_wrapper = dict(optimizer=dict(lr=2e-3, weight_decay=0.02))
param_scheduler = _base_.demo_obj_schedule
