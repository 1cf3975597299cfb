# RTMDet-tiny on COCO's 80 classes: for detections of real video, with the weights mmdet publishes.
_base_ = 'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py'
