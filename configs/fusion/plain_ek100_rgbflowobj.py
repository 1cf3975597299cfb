# The other one: never shown a clip that lacks anything, and without a token that stands for it.
_base_ = './dropout_ek100_rgbflowobj.py'

model = dict(
    fusion=dict(absent='zero', modality_tokens=False),
    cls_head=dict(streams='all'),
)
train_dataloader = dict(dataset=dict(pipeline=dict(load=dict(dropout=None))))
