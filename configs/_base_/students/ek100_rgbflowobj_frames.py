# A student with another number or layout of frames than the RGB expert: it reads `frames`, evenly
# spaced over the very clip that the experts see. Eight for a 2D network, unless a config says so.
_base_ = './ek100_rgbflowobj.py'

model = dict(modality='frames')
frames = dict(frames=dict(type='mmdistill.RGBModality', clip_len=8, input_format='NCHW'))
deployed = dict(dataset=dict(pipeline=dict(load=dict(inputs='frames', modalities=frames))))
everything = dict(inputs=('rgb', 'frames', 'flow', 'obj'), modalities=frames)
train_dataloader = dict(dataset=dict(pipeline=dict(load=everything)))
val_dataloader = deployed
test_dataloader = deployed
holdout_dataloader = dict(dataset=dict(pipeline=dict(load=everything)))
