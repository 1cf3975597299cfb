# MMAction2's `tsn_r18` for audio, with a classifier each for verbs and nouns. Written out: upstream
# has the model only inside a config with a data set of its own.
head = dict(type='TSNAudioHead', in_channels=512, dropout_ratio=0.5, init_std=0.01)
model = dict(
    type='RecognizerAudio',
    backbone=dict(type='ResNet', depth=18, in_channels=1, norm_eval=False),
    data_preprocessor=dict(type='ActionDataPreprocessor'),
    cls_head=dict(
        type='mmdistill.MultitaskHead',
        heads=dict(verb=dict(head, num_classes=97), noun=dict(head, num_classes=300)),
    ),
)
