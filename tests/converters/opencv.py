"""OpenCV on a file: opencv.py COLOR_... IN OUT ROWS COLUMNS CHANNELS, or opencv.py VideoCapture IN OUT"""

import sys

import cv2
import numpy

what, source, target, *shape = sys.argv[1:]
if what == "VideoCapture":
    capture = cv2.VideoCapture(source)
    pixels = []
    while (frame := capture.read()[1]) is not None:
        pixels.append(frame)
else:
    rows, columns, channels = map(int, shape)
    frames = numpy.fromfile(source, numpy.uint8).reshape(-1, rows, columns, channels)
    pixels = [cv2.cvtColor(frame, getattr(cv2, what)) for frame in frames]
numpy.stack(pixels).tofile(target)
