# One Video Swin-T trained on RGB and flow in turn, and tested on RGB: what do other modalities
# give a network without a teacher?
_base_ = './swin_ek100_rgb.py'

flow = dict(type='ActionDataPreprocessor', mean=[128.0] * 3, std=[32.0] * 3, format_shape='NCTHW')
model = dict(
    _delete_=True,
    type='mmdistill.OmnivorousRecognizer',
    recognizer=_base_.model,
    modalities=dict(rgb=None, flow=flow),
)
train_dataloader = dict(dataset=dict(pipeline=dict(load=dict(inputs=('rgb', 'flow')))))
