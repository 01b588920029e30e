//! The conversions that are looked for. Files hold the numbers, so more can be added at any time.
//!
//! Each was compared with what it is named after over all 2^24 values of Y, U and V, where not noted otherwise:
//! FFmpeg 5.1 and 9, OpenCV 5.0, libyuv of January 2023, libjpeg-turbo 2.1 and 3.1. Each is tried on a row of
//! blocks of every packed batch, in both orders of channels, so what next to nobody uses, or what hardly differs from
//! another, is left out: full range rounded exactly is that of libjpeg-turbo and of swscale with full chroma, but
//! for one pixel in a thousand.

use super::{Conversion, Term};

/// A conversion that is known by name.
pub struct Known {
    /// What does it, the matrix, and the range of Y.
    pub name: &'static str,
    /// What it does.
    pub conversion: Conversion,
}

/// A conversion by its numbers: a scale and an offset for each term, in the order of [`Conversion`].
const fn known(name: &'static str, terms: [[i32; 2]; 6], [luma_shift, chroma_shift, output_shift]: [u8; 3]) -> Known {
    const fn term([scale, offset]: [i32; 2]) -> Term {
        Term::new(scale, offset)
    }
    let [luma, red, green_u, green_v, blue, output] = terms;
    let conversion = Conversion {
        luma: term(luma),
        luma_shift,
        red: term(red),
        green_u: term(green_u),
        green_v: term(green_v),
        blue: term(blue),
        chroma_shift,
        output: term(output),
        output_shift,
    };
    Known { name, conversion }
}

/// Every known conversion, what is common first.
#[rustfmt::skip]
pub const KNOWN: &[Known] = &[
    // FFmpeg libswscale/x86/yuv_2_rgb.asm: planar YUV, of whatever sampling but 4:4:4, where nothing else is asked for. What reads video by FFmpeg
    // has it from there: OpenCV's VideoCapture, PyAV, decord, torchvision, imageio.
    known("swscale, BT.601 limited", [[76312, -1220992], [104600, -13388800], [-25672, 3286016], [-53280, 6819840], [132200, -16921600], [1, 0]], [16, 16, 0]),
    known("swscale, BT.601 full", [[65536, 0], [91880, -11760640], [-22552, 2886656], [-46800, 5990400], [116128, -14864384], [1, 0]], [16, 16, 0]),
    known("swscale, BT.709 limited", [[76312, -1220992], [117488, -15038464], [-13976, 1788928], [-34928, 4470784], [138440, -17720320], [1, 0]], [16, 16, 0]),
    known("swscale, BT.709 full", [[65536, 0], [103208, -13210624], [-12272, 1570816], [-30680, 3927040], [121608, -15565824], [1, 0]], [16, 16, 0]),
    known("swscale, BT.2020 limited", [[76312, -1220992], [110016, -14082048], [-12280, 1571840], [-42624, 5455872], [140360, -17966080], [1, 0]], [16, 16, 0]),
    known("swscale, BT.2020 full", [[65536, 0], [96640, -12369920], [-10784, 1380352], [-37440, 4792320], [123296, -15781888], [1, 0]], [16, 16, 0]),
    known("swscale, SMPTE 240M limited", [[76312, -1220992], [117576, -15049728], [-16904, 2163712], [-35560, 4551680], [136232, -17437696], [1, 0]], [16, 16, 0]),
    known("swscale, FCC limited", [[76312, -1220992], [104448, -13369344], [-24760, 3169280], [-53112, 6798336], [132800, -16998400], [1, 0]], [16, 16, 0]),
    // FFmpeg libswscale/yuv2rgb.c: tables. Of NV12, with accurate_rnd, and without SIMD.
    known("swscale, tables, BT.601 limited", [[1, 0], [89830, -11468800], [-22049, 2883584], [-45756, 5898240], [113537, -14483456], [76309, -1304898]], [0, 16, 16]),
    known("swscale, tables, BT.601 full", [[1, 0], [91881, -11730944], [-22552, 2949120], [-46800, 6029312], [116129, -14811136], [65536, 32768]], [0, 16, 16]),
    known("swscale, tables, BT.709 limited", [[1, 0], [100902, -12910592], [-12001, 1572864], [-29993, 3866624], [118894, -15204352], [76309, -1304898]], [0, 16, 16]),
    known("swscale, tables, BT.709 full", [[1, 0], [103206, -13172736], [-12275, 1572864], [-30678, 3932160], [121608, -15532032], [65536, 32768]], [0, 16, 16]),
    known("swscale, tables, BT.2020 limited", [[1, 0], [94482, -12058624], [-10543, 1376256], [-36607, 4718592], [120547, -15400960], [76309, -1304898]], [0, 16, 16]),
    known("swscale, tables, BT.2020 full", [[1, 0], [96638, -12320768], [-10783, 1441792], [-37443, 4849664], [123299, -15728640], [65536, 32768]], [0, 16, 16]),
    known("swscale, tables, SMPTE 240M limited", [[1, 0], [100980, -12910592], [-14519, 1900544], [-30538, 3932160], [116998, -14942208], [76309, -1304898]], [0, 16, 16]),
    known("swscale, tables, FCC limited", [[1, 0], [89702, -11468800], [-21263, 2752512], [-45610, 5898240], [114050, -14548992], [76309, -1304898]], [0, 16, 16]),
    // OpenCV modules/imgproc/src/color_yuv.simd.hpp: cvtColor, COLOR_YUV2RGB_I420, _NV12, _YUY2 and their like. It takes Y below 16 for 16,
    // which Y = 16 makes as well.
    known("OpenCV, BT.601 limited", [[1220542, -19528672], [1673527, -214211456], [-409993, 52479104], [-852492, 109118976], [2116026, -270851328], [1, 524288]], [0, 0, 20]),
    // libyuv source/row_common.cc, row_gcc.cc: I420ToARGB, J420, H420, F420, U420, V420 and their like. Browsers, WebRTC, Android.
    known("libyuv, BT.601 limited", [[4882229, 0], [102, -13056], [-25, 3200], [-52, 6656], [128, -16384], [1, -1160]], [16, 0, 6]),
    known("libyuv, BT.601 full", [[4194240, 0], [90, -11520], [-22, 2816], [-46, 5888], [113, -14464], [1, 32]], [16, 0, 6]),
    known("libyuv, BT.709 limited", [[4882229, 0], [115, -14720], [-14, 1792], [-34, 4352], [128, -16384], [1, -1160]], [16, 0, 6]),
    known("libyuv, BT.709 full", [[4194240, 0], [101, -12928], [-12, 1536], [-30, 3840], [119, -15232], [1, 32]], [16, 0, 6]),
    known("libyuv, BT.2020 limited", [[4883771, 0], [107, -13696], [-12, 1536], [-42, 5376], [128, -16384], [1, -1160]], [16, 0, 6]),
    known("libyuv, BT.2020 full", [[4194240, 0], [94, -12032], [-11, 1408], [-37, 4736], [120, -15360], [1, 32]], [16, 0, 6]),
    // libjpeg-turbo jdcolor.c, jdmerge.c: JPEG of 4:4:4, and others without smooth chroma (fancy upsampling).
    known("libjpeg-turbo, BT.601 full", [[65536, 0], [91881, -11760768], [-22554, 2886912], [-46802, 5990656], [116130, -14864640], [1, 32768]], [0, 0, 16]),
    // FFmpeg libswscale/output.c, yuv2rgb_write_full: 4:4:4, and full_chroma_int with accurate_rnd. Its sums overflow where blue is far beyond
    // white (0.2 to 0.5 % of all Y, U and V, limited range only): it makes 0 of that instead of 255.
    known("swscale, full chroma, BT.601 limited", [[9539, -152624], [13075, -1673600], [-3209, 410752], [-6660, 852480], [16525, -2115200], [1, 4096]], [0, 0, 13]),
    known("swscale, full chroma, BT.601 full", [[8192, 0], [11485, -1470080], [-2819, 360832], [-5850, 748800], [14516, -1858048], [1, 4096]], [0, 0, 13]),
    known("swscale, full chroma, BT.709 limited", [[9539, -152624], [14686, -1879808], [-1747, 223616], [-4366, 558848], [17305, -2215040], [1, 4096]], [0, 0, 13]),
    known("swscale, full chroma, BT.709 full", [[8192, 0], [12901, -1651328], [-1534, 196352], [-3835, 490880], [15201, -1945728], [1, 4096]], [0, 0, 13]),
    known("swscale, full chroma, BT.2020 limited", [[9539, -152624], [13752, -1760256], [-1535, 196480], [-5328, 681984], [17545, -2245760], [1, 4096]], [0, 0, 13]),
    known("swscale, full chroma, BT.2020 full", [[8192, 0], [12080, -1546240], [-1348, 172544], [-4680, 599040], [15412, -1972736], [1, 4096]], [0, 0, 13]),
    // OpenCV, as above: cvtColor, COLOR_YCrCb2RGB and COLOR_YUV2RGB, both 4:4:4.
    known("OpenCV, BT.601 full", [[16384, 0], [22987, -2942336], [-5636, 721408], [-11698, 1497344], [29049, -3718272], [1, 8192]], [0, 0, 14]),
    known("OpenCV, analogue YUV full", [[16384, 0], [18678, -2390784], [-6472, 828416], [-9519, 1218432], [33292, -4261376], [1, 8192]], [0, 0, 14]),
    // What is nearest to real numbers, but for 1 in 10^5 of all Y, U and V: converters on GPUs, in floating point.
    known("rounded, BT.601 limited", [[2441889, -39070224], [3347110, -428430109], [-821585, 105162909], [-1704917, 218229376], [4230445, -541497350], [1, 1048576]], [0, 0, 21]),
    known("rounded, BT.709 limited", [[2441889, -39070224], [3759651, -481235451], [-447215, 57243541], [-1117592, 143051776], [4430026, -567043355], [1, 1048576]], [0, 0, 21]),
    known("rounded, BT.2020 limited", [[2441889, -39070224], [3520434, -450615658], [-392851, 50284961], [-1364038, 174596864], [4491622, -574927718], [1, 1048576]], [0, 0, 21]),
    // NVIDIA Video Codec SDK Samples/Utils/ColorSpace.cu, also in DALI: floating point, rounded down. Not compared with a GPU, but with
    // the same in 32-bit floats: 1 in 10^5 differs. Before version 13 it scaled chroma as luma.
    known("NVIDIA, BT.601 limited, luma's scale", [[2441889, -39070224], [3423529, -438211643], [-840343, 107563938], [-1743842, 223211776], [4327028, -553859515], [1, 0]], [0, 0, 21]),
    known("NVIDIA, BT.709 limited, luma's scale", [[2441889, -39070224], [3845487, -492222267], [-457425, 58550434], [-1143108, 146317824], [4531169, -579989563], [1, 0]], [0, 0, 21]),
    known("NVIDIA, BT.601 limited", [[2441889, -39070224], [3347110, -428430011], [-821585, 105162915], [-1704916, 218229248], [4230442, -541496507], [1, 0]], [0, 0, 21]),
    known("NVIDIA, BT.709 limited", [[2441889, -39070224], [3759650, -481235131], [-447215, 57243569], [-1117592, 143051776], [4430028, -567043515], [1, 0]], [0, 0, 21]),
    // FFmpeg libswscale/aarch64/yuv2rgb_neon.S. From reading it: not compared.
    known("swscale on ARM64, BT.601 limited", [[76312, -1220992], [104600, -13388800], [-25672, 3286016], [-53280, 6819840], [132200, -16921600], [1, 1]], [15, 15, 1]),
    known("swscale on ARM64, BT.601 full", [[65536, 0], [91880, -11760640], [-22552, 2886656], [-46800, 5990400], [116128, -14864384], [1, 1]], [15, 15, 1]),
    known("swscale on ARM64, BT.709 limited", [[76312, -1220992], [117488, -15038464], [-13976, 1788928], [-34928, 4470784], [138440, -17720320], [1, 1]], [15, 15, 1]),
    known("swscale on ARM64, BT.709 full", [[65536, 0], [103208, -13210624], [-12272, 1570816], [-30680, 3927040], [121608, -15565824], [1, 1]], [15, 15, 1]),
    known("swscale on ARM64, BT.2020 limited", [[76312, -1220992], [110016, -14082048], [-12280, 1571840], [-42624, 5455872], [140360, -17966080], [1, 1]], [15, 15, 1]),
];
