# RTMDet-tiny (4.9 M parameters) on frames of the rendered demo; the pattern for a detector of your
# own objects: change data_root and classes, and give `load_from` a COCO checkpoint to start from.
_base_ = './_base_/rtmdet.py'
