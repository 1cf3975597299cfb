_base_ = './swin_sthelse_rgb.py'

# u, v and a constant channel: the RGB backbone and its weights serve unchanged.
model = dict(data_preprocessor=dict(mean=[128.0, 128.0, 128.0], std=[32.0, 32.0, 32.0]))

flow = dict(dataset=dict(pipeline=dict(load=dict(inputs='flow'))))
train_dataloader = flow
val_dataloader = flow
test_dataloader = flow
