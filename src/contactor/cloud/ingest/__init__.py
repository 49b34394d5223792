"""Records → checked, de-duplicated → lake → watermark."""
