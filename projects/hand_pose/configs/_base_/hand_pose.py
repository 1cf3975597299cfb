# The modality: where its files are, how they are read, and who knows the verbs from them.
custom_imports = dict(
    imports=['projects.hand_pose.hand_pose', 'projects.hand_pose.keypoint_transformer']
)
hand_pose_keypoints = ('wrist', 'thumb', 'index', 'middle', 'little')
hand_pose_media = dict(hand_pose='{participant_id}/keypoints/{video_id}.csv')
hand_pose_modality = dict(
    hand_pose=dict(
        type='mmdistill.HandPoseModality',
        keypoints=hand_pose_keypoints,
        frame_size=(96, 128),
        # RGB has 8 frames in 1.4 s, 5 per second; this is 20 per second over the same time.
        clip_len=29,
    )
)
hand_pose_alone = dict(
    dataset=dict(
        media=hand_pose_media,
        pipeline=dict(load=dict(inputs='hand_pose', modalities=hand_pose_modality)),
    )
)
with_hand_pose = dict(
    dataset=dict(
        media=hand_pose_media,
        # None: all modalities that are configured.
        pipeline=dict(load=dict(inputs=None, modalities=hand_pose_modality)),
    )
)
hand_pose_expert = dict(
    config='projects/hand_pose/configs/pose.py',
    checkpoint='work_dirs/demo/hand_pose/best_*.pth',
)
