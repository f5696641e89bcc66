//! Synthetic Macs with ground truth, in native formats. Shares no code and no constant with the hunt.
