# A control: the baseline with twice the epochs, about what a student costs that asks live experts.
_base_ = './rgb.py'

epochs = 240
train_cfg = dict(max_epochs=epochs)
cosine = dict(_base_.cosine, end=epochs, T_max=epochs - 2)
param_scheduler = [_base_.warm_up, cosine]
