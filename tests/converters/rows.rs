//! What is converted how, and what is expected of it.

use framepress::frame::ChromaSampling::{self, Cs420, Cs422, Cs444};

use super::tools::Tool;

#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// It is recognised as this conversion, of this sampling.
    Made(&'static str, ChromaSampling),
    /// It cannot be undone, block by block: it is coded as it is.
    Ordinary,
}

pub struct Row {
    pub name: &'static str,
    pub tool: Tool,
    pub width: usize,
    pub height: usize,
    pub expected: Expected,
    /// The name of pixels that are kept in `tests/data/converted`.
    pub kept: Option<&'static str>,
}

/// FFmpeg, without options, to RGB.
fn ffmpeg(name: &'static str, input: &'static str, filter: &'static str, expected: Expected) -> Row {
    let tool = Tool::Ffmpeg { options: &[], input, filter, output: "rgb24" };
    Row { name, tool, width: 96, height: 64, expected, kept: None }
}

fn opencv(name: &'static str, tool: Tool, conversion: &'static str, sampling: ChromaSampling) -> Row {
    Row { name, tool, width: 96, height: 64, expected: Expected::Made(conversion, sampling), kept: None }
}

impl Row {
    fn to(self, name: &'static str, order: &'static str) -> Self {
        let Tool::Ffmpeg { options, input, filter, .. } = self.tool else { unreachable!("a row of FFmpeg") };
        Self { name, tool: Tool::Ffmpeg { options, input, filter, output: order }, ..self }
    }

    fn without_simd(self) -> Self {
        let Tool::Ffmpeg { input, filter, output, .. } = self.tool else { unreachable!("a row of FFmpeg") };
        Self { tool: Tool::Ffmpeg { options: &["-cpuflags", "0"], input, filter, output }, ..self }
    }

    fn kept(self, kept: &'static str) -> Self {
        Self { kept: Some(kept), ..self }
    }
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    use Expected::{Made, Ordinary};
    let plain = |name| ffmpeg(name, "yuv420p", "", Made("swscale, BT.601 limited", Cs420));
    vec![
        plain("ffmpeg").kept("swscale_601"),
        plain("").to("ffmpeg_bgr", "bgr24"),
        plain("").to("ffmpeg_rgba", "rgba"),
        plain("").to("ffmpeg_bgra", "bgra"),
        Row { width: 95, ..plain("ffmpeg_odd_width") },
        ffmpeg("ffmpeg_422", "yuv422p", "", Made("swscale, BT.601 limited", Cs422)),
        ffmpeg("ffmpeg_full", "yuvj420p", "", Made("swscale, BT.601 full", Cs420)).kept("swscale_601_full"),
        ffmpeg("ffmpeg_709", "yuv420p", "scale=in_color_matrix=bt709", Made("swscale, BT.709 limited", Cs420)).kept("swscale_709"),
        ffmpeg("ffmpeg_709_full", "yuv420p", "scale=in_color_matrix=bt709:in_range=pc", Made("swscale, BT.709 full", Cs420)),
        ffmpeg("ffmpeg_2020", "yuv420p", "scale=in_color_matrix=bt2020", Made("swscale, BT.2020 limited", Cs420)),
        ffmpeg("ffmpeg_240m", "yuv420p", "scale=in_color_matrix=smpte240m", Made("swscale, SMPTE 240M limited", Cs420)),
        ffmpeg("ffmpeg_fcc", "yuv420p", "scale=in_color_matrix=fcc", Made("swscale, FCC limited", Cs420)),
        ffmpeg("ffmpeg_tables", "yuv420p", "", Made("swscale, tables, BT.601 limited", Cs420)).without_simd().kept("swscale_tables_601"),
        ffmpeg("ffmpeg_tables_full", "yuvj420p", "", Made("swscale, tables, BT.601 full", Cs420)).without_simd(),
        ffmpeg("ffmpeg_tables_709", "yuv420p", "scale=in_color_matrix=bt709", Made("swscale, tables, BT.709 limited", Cs420)).without_simd().kept("swscale_tables_709"),
        // Chroma is scaled, but for its columns.
        ffmpeg("ffmpeg_nv12", "nv12", "", Made("swscale, tables, BT.601 limited", Cs422)),
        ffmpeg("ffmpeg_accurate", "yuv420p", "scale=flags=accurate_rnd", Made("swscale, tables, BT.601 limited", Cs422)),
        // It is scaled to finer steps than those of 8 bits.
        ffmpeg("ffmpeg_full_chroma", "yuv420p", "scale=flags=accurate_rnd+full_chroma_int", Ordinary),
        ffmpeg("ffmpeg_444", "yuv444p", "", Made("swscale, full chroma, BT.601 limited", Cs444)).kept("swscale_full_chroma_601"),
        ffmpeg("ffmpeg_444_709", "yuv444p", "scale=in_color_matrix=bt709:flags=accurate_rnd+full_chroma_int", Made("swscale, full chroma, BT.709 limited", Cs444)),
        opencv("opencv_i420", Tool::CvtColor("COLOR_YUV2RGB_I420"), "OpenCV, BT.601 limited", Cs420).kept("opencv_601"),
        opencv("opencv_i420_bgr", Tool::CvtColor("COLOR_YUV2BGR_I420"), "OpenCV, BT.601 limited", Cs420),
        opencv("opencv_nv12", Tool::CvtColor("COLOR_YUV2RGB_NV12"), "OpenCV, BT.601 limited", Cs420),
        opencv("opencv_nv12_bgra", Tool::CvtColor("COLOR_YUV2BGRA_NV12"), "OpenCV, BT.601 limited", Cs420),
        opencv("opencv_yuy2", Tool::CvtColor("COLOR_YUV2BGR_YUY2"), "OpenCV, BT.601 limited", Cs422),
        opencv("opencv_ycrcb", Tool::CvtColor("COLOR_YCrCb2RGB"), "OpenCV, BT.601 full", Cs444).kept("opencv_ycrcb"),
        opencv("opencv_yuv", Tool::CvtColor("COLOR_YUV2BGR"), "OpenCV, analogue YUV full", Cs444),
        opencv("opencv_capture", Tool::VideoCapture, "swscale, BT.601 limited", Cs420),
    ]
}

/// Pixels that are kept: the name of the file, the conversion, and the sampling of the YUV.
pub fn kept_rows() -> impl Iterator<Item = (&'static str, &'static str, ChromaSampling)> {
    let of_tools = rows().into_iter().filter_map(|row| match row.expected {
        Expected::Made(conversion, _) => Some((row.kept?, conversion, row.tool.sampling())),
        Expected::Ordinary => None,
    });
    let of_libraries = [
        ("libyuv_601", "libyuv, BT.601 limited", Cs420),
        ("libyuv_601_full", "libyuv, BT.601 full", Cs420),
        ("libyuv_709", "libyuv, BT.709 limited", Cs420),
        ("libjpeg_601_full", "libjpeg-turbo, BT.601 full", Cs444),
    ];
    of_tools.chain(of_libraries)
}
