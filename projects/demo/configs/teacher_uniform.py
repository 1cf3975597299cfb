# The same experts, all counting the same: what the weighting has to beat.
_base_ = './teacher.py'

model = dict(weighting=dict(_delete_=True, type='mmdistill.UniformWeighting'))
