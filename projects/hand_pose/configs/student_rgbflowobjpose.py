# The student of the demo; its teacher also has an expert for the hand's pose.
_base_ = ['../../../projects/demo/configs/student.py', './_base_/hand_pose.py']

train_dataloader = _base_.with_hand_pose
holdout_dataloader = _base_.with_hand_pose
teacher = dict(experts=dict(hand_pose=_base_.hand_pose_expert))
