# The detection expert: as configs/unimodal/stlt_ek100_obj.py, at the demo's sizes.
_base_ = ['../unimodal/stlt_ek100_obj.py', '../_base_/demo_sizes.py']

data_root = 'data/demo/'
train_dataloader = dict(_base_.demo_train, batch_size=8)
val_dataloader = _base_.demo_test
test_dataloader = _base_.demo_test
holdout_dataloader = _base_.demo_test

model = dict(
    cls_head=dict(
        encoder=dict(
            num_categories=9,
            embed_dims=128,
            num_layers=(2, 2),
            num_heads=4,
            dropout=0.0,
            causal=False,
        ),
        heads=_base_.demo_heads,
    )
)
train_cfg = _base_.demo_train_cfg
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.02))
param_scheduler = _base_.demo_schedule
