# Any recognizer as a student on EPIC-KITCHENS-100 whose teacher also hears: data, teacher, losses.
# configs/distill adds the recognizer, whose head becomes one for verbs and one for nouns.
_base_ = ['./distilled.py', '../datasets/ek100_audio.py', '../teachers/ek100_rgbflowaudio.py']

model = dict(tasks=dict(verb=97, noun=300))

# The student reads RGB; flow and audio are for the teacher alone, and some videos have no sound.
optional = dict(audio=dict(optional=True))
everything = dict(
    dataset=dict(
        pipeline=dict(load=dict(inputs=('rgb', 'flow', 'audio'), modalities=optional)),
    )
)
train_dataloader = everything
holdout_dataloader = everything
