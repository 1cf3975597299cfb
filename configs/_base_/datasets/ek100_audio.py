# EPIC-KITCHENS-100 with the sound of the videos, from their own audio tracks.
_base_ = './ek100.py'

# Masked in training, as the paper has it: up to 80 bands and 80 columns of every second clip.
masking = dict(time=80, frequency=80, prob=0.5)
audio = dict(type='mmdistill.AudioModality')
media = dict(audio='{participant_id}/videos/{video_id}.MP4')
heard = dict(dataset=dict(media=media, pipeline=dict(load=dict(modalities=dict(audio=audio)))))
train_dataloader = dict(
    dataset=dict(
        media=media,
        pipeline=dict(load=dict(modalities=dict(audio=dict(audio, masking=masking)))),
    )
)
holdout_dataloader = heard
val_dataloader = heard
test_dataloader = heard
