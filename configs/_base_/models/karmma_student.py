# KARMMA's student: the shape of its teacher, with smaller extractors that are trained as well.
# `network` is a recognizer: by itself a baseline, inside mmdistill.StudentRecognizer a student.
width = 256
head = dict(type='I3DHead', in_channels=width, spatial_type=None, dropout_ratio=0.0)
name = 'x3d_m_16x5x1_facebook-kinetics400-rgb'
weights = 'https://download.openmmlab.com/mmaction/v1.0/recognition/x3d/facebook'
frames = dict(
    config=f'mmaction::recognition/x3d/{name}.py',
    checkpoint=f'{weights}/{name}_20201027-3f42382a.pth',
)
# u, v and a constant channel; log-mel images, which their modality normalises.
flow = {f'model.data_preprocessor.{k}': [v] * 3 for k, v in dict(mean=128.0, std=32.0).items()}
sound = {f'model.data_preprocessor.{k}': [v] * 3 for k, v in dict(mean=0.0, std=1.0).items()}
layout = dict(
    model=dict(
        type='Recognizer3D',
        backbone=dict(type='mmdistill.DetectionInputs'),
        data_preprocessor=dict(type='ActionDataPreprocessor'),
        cls_head=dict(
            type='mmdistill.DetectionFeatureHead',
            encoder=dict(num_categories=80, embed_dims=128, num_layers=(2, 2), num_heads=4),
            heads=dict(action=dict(head, in_channels=128, num_classes=2)),  # not used
        ),
    )
)
rgbflow = dict(rgb=frames, flow=dict(frames, cfg_options=flow))
network = dict(
    type='mmdistill.FusionRecognizer',
    fusion=dict(embed_dims=width, num_tokens=8, num_layers=2, num_heads=8),
    cls_head=dict(type='mmdistill.FusionHead', embed_dims=width),
)
