# The spatial-temporal layout transformer over detections from a file (the paper's size).
embed_dims = 768
head = dict(type='I3DHead', in_channels=embed_dims, spatial_type=None, dropout_ratio=0.0)
model = dict(
    type='Recognizer3D',
    backbone=dict(type='mmdistill.DetectionInputs'),
    data_preprocessor=dict(type='ActionDataPreprocessor'),
    cls_head=dict(
        type='mmdistill.DetectionFeatureHead',
        encoder=dict(
            num_categories=80,
            embed_dims=embed_dims,
            num_layers=(6, 6),
            num_heads=8,
            causal=True,
        ),
        heads=dict(verb=dict(head, num_classes=97), noun=dict(head, num_classes=300)),
    ),
)
