# Video Swin-T on log-mel images: one around each sampled frame, as the frames of a video.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/ek100_audio.py',
    '../_base_/models/swin_tiny_ek100.py',
    '../_base_/schedules/adamw_30e.py',
]

# The modality normalises; three equal channels, so that the weights of RGB serve unchanged.
model = dict(data_preprocessor=dict(mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0]))
load_from = (
    'https://download.openmmlab.com/mmaction/v1.0/recognition/swin/'
    'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb/'
    'swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb_20220930-241016b2.pth'
)

audio = dict(dataset=dict(pipeline=dict(load=dict(inputs='audio'))))
train_dataloader = audio
val_dataloader = audio
test_dataloader = audio
