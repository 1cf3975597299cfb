# The network of KARMMA's student at the demo's sizes.
_base_ = './sizes.py'

# Half as many as the RGB models see, since a model of three inputs costs three times as much.
fusion_epochs, karmma_epochs = 60, 20
fusion_cfg = dict(_base_.demo_train_cfg, max_epochs=fusion_epochs)
karmma_cfg = dict(_base_.demo_train_cfg, max_epochs=karmma_epochs)
fusion_schedule = [
    _base_.warm_up,
    dict(_base_.cosine, end=fusion_epochs, T_max=fusion_epochs - 2),
]
karmma_schedule = [
    _base_.warm_up,
    dict(_base_.cosine, end=karmma_epochs, T_max=karmma_epochs - 2),
]
# Three quarters of the experts' channels.
small_rgb = dict(
    _base_.demo_recognizer, backbone=dict(_base_.demo_recognizer.backbone, base_channels=12)
)
small_flow = dict(
    small_rgb,
    data_preprocessor=dict(small_rgb['data_preprocessor'], mean=[128.0] * 3, std=[12.0] * 3),
)
demo_width = 64
demo_fused = dict(
    type='I3DHead', in_channels=demo_width, spatial_type=None, num_classes=8, dropout_ratio=0.0
)
demo_encoder = dict(num_categories=9, embed_dims=48, num_layers=(2, 2), num_heads=4, dropout=0.1)
small_obj = dict(
    type='Recognizer3D',
    backbone=dict(type='mmdistill.DetectionInputs'),
    data_preprocessor=dict(type='ActionDataPreprocessor'),
    cls_head=dict(
        type='mmdistill.DetectionFeatureHead',
        encoder=demo_encoder,
        heads=dict(verb=dict(demo_fused, in_channels=48)),
    ),
)
demo_network = dict(
    type='mmdistill.FusionRecognizer',
    extractors=dict(
        rgb=dict(model=small_rgb), flow=dict(model=small_flow), obj=dict(model=small_obj)
    ),
    fusion=dict(
        in_channels=dict(rgb=96, flow=96, obj=48), embed_dims=demo_width, num_tokens=4, num_heads=4
    ),
    cls_head=dict(
        type='mmdistill.FusionHead',
        embed_dims=demo_width,
        heads=dict(verb=demo_fused, noun=demo_fused),
    ),
)
