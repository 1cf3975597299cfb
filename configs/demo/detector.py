# The detector whose boxes the demo's object expert reads.
_base_ = '../detectors/rtmdet_narrow_demo.py'
