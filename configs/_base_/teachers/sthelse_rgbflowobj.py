# The experts of configs/unimodal.
_base_ = './weighted.py'

teacher = dict(
    experts=dict(
        rgb=dict(
            config='mmdistill::unimodal/swin_sthelse_rgb.py',
            checkpoint='work_dirs/swin_sthelse_rgb/best_*.pth',
        ),
        flow=dict(
            config='mmdistill::unimodal/swin_sthelse_flow.py',
            checkpoint='work_dirs/swin_sthelse_flow/best_*.pth',
        ),
        obj=dict(
            config='mmdistill::unimodal/stlt_sthelse_obj.py',
            checkpoint='work_dirs/stlt_sthelse_obj/best_*.pth',
        ),
    )
)
