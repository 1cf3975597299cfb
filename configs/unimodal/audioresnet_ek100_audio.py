# MMAction2's audio ResNet-18 on one log-mel segment, centred on the clip.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/ek100_audio.py',
    '../_base_/models/audioresnet18_ek100.py',
    '../_base_/schedules/adamw_30e.py',
]

segment = dict(input_format='NCTF')
audio = dict(dataset=dict(pipeline=dict(load=dict(inputs='audio', modalities=dict(audio=segment)))))
train_dataloader = audio
val_dataloader = audio
test_dataloader = audio
