# A control: does a student gain only because soft targets smooth its labels?
_base_ = './rgb.py'

smoothed = dict(label_smooth_eps=0.1)
model = dict(cls_head=dict(heads=dict(verb=smoothed, noun=smoothed)))
