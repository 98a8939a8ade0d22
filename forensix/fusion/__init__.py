"""From findings to conclusions: calibration, combination, one map."""

from forensix.fusion.calibration import Calibration, load_calibration
from forensix.fusion.combine import conclude
from forensix.fusion.maps import decision_mask, fuse_heatmaps
from forensix.fusion.story import told_sides

__all__ = ["Calibration", "conclude", "decision_mask", "fuse_heatmaps", "load_calibration", "told_sides"]
