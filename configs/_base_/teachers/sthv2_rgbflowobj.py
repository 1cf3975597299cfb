# The experts of configs/unimodal.
_base_ = './weighted.py'

teacher = dict(
    experts=dict(
        rgb=dict(
            config='mmdistill::unimodal/swin_sthv2_rgb.py',
            checkpoint='work_dirs/swin_sthv2_rgb/best_*.pth',
        ),
        flow=dict(
            config='mmdistill::unimodal/swin_sthv2_flow.py',
            checkpoint='work_dirs/swin_sthv2_flow/best_*.pth',
        ),
        obj=dict(
            config='mmdistill::unimodal/stlt_sthv2_obj.py',
            checkpoint='work_dirs/stlt_sthv2_obj/best_*.pth',
        ),
    )
)
