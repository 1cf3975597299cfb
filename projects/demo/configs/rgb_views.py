# The RGB baseline or the student (the weights have the same names) with 5 clips x 3 square crops.
_base_ = './rgb.py'

views = dict(
    sample=dict(num_clips=5),
    load=dict(
        geometry=dict(
            _delete_=True,
            shorter_side=dict(type='Resize', scale=(-1, 48)),
            crop=dict(type='ThreeCrop', crop_size=48),
        )
    ),
)
test_dataloader = dict(dataset=dict(pipeline=views))
