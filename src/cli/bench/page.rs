//! The figures as a page.

use framepress::{DeviceDescription, devices};

use super::super::report::table;
use super::super::report::{Bar, Chart, Page, Point, Series};
use super::super::report::{bars, details, list, machine, paragraph, scatter, side_by_side};
use super::input::Input;
use super::kernels::{GpuFigures, PARTS};
use super::report::{Row, cells, targets_table};

/// The whole page. `name` is the input's.
pub fn page(name: &str, input: &Input, rows: &[Row]) -> String {
    let frames = format!("{name}: {} frames, {:.1} MB raw", input.frames, input.raw.len() as f64 / 1e6);
    let mut page = Page::new("framepress bench", &frames);
    page.section("Ratio and speed", &ratio_and_speed(rows));
    for device in names(rows) {
        let gpu = |row| gpu_of(row, &device);
        if let Some(first) = rows.iter().find_map(gpu) {
            let levels: String = rows.iter().filter_map(|row| Some((row, gpu(row)?))).enumerate().map(level).collect();
            let targets = targets_table(rows, &device).map_or_else(String::new, |cells| {
                paragraph("What the device is meant to reach:") + &table(&cells, |column| column == 0)
            });
            page.section(&device, &(paragraph(&first.device_text()) + &levels + &targets));
        }
    }
    let devices = devices();
    let measured = |device: &&DeviceDescription| {
        device.index.is_none() || rows.iter().any(|row| row.device.starts_with(&device.name))
    };
    page.section("Machine", &list(&machine(devices.iter().filter(measured))));
    page.finish()
}

/// The figures of `row` if it is of `device` and that is a GPU.
fn gpu_of<'a>(row: &'a Row, device: &str) -> Option<&'a GpuFigures> {
    row.gpu.as_ref().filter(|_| row.device == device)
}

/// Devices in the order of their rows.
fn names(rows: &[Row]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        if !names.contains(&row.device) {
            names.push(row.device.clone());
        }
    }
    names
}

/// Ratio against speed, there and back.
pub fn charts(rows: &[Row]) -> [Chart; 2] {
    let chart = |caption: &str, speed: &dyn Fn(&Row) -> f64| {
        let of_device = |name: String| {
            let own = rows.iter().filter(|row| row.device == name);
            let points = own.map(|row| Point { x: speed(row), y: row.ratio, label: row.level.to_string() }).collect();
            Series { name, points }
        };
        let series = names(rows).into_iter().map(of_device).collect();
        Chart { caption: caption.to_owned(), axes: ["MB/s", "ratio"], series }
    };
    [
        chart("Compression, level by level", &|row| row.compress_mb_per_s),
        chart("Decompression, level by level", &|row| row.decompress_mb_per_s),
    ]
}

fn ratio_and_speed(rows: &[Row]) -> String {
    side_by_side(&charts(rows).each_ref().map(scatter)) + &table(&cells(rows), |column| column == 1)
}

/// What a GPU did at a level. The first one is open.
fn level((at, (row, gpu)): (usize, (&Row, &GpuFigures))) -> String {
    let times = || gpu.kernels.iter().filter_map(|kernel| kernel.time);
    let most = times().max().unwrap_or_default().as_secs_f64();
    let chart = |part: &str| {
        let bar = |kernel: &super::kernels::Kernel| {
            let time = kernel.time?;
            let copy =
                gpu.percent_of_copy(kernel).map_or_else(String::new, |percent| format!(", {percent:.0} % of copy"));
            let text = format!("{:.3} ms{copy}", time.as_secs_f64() * 1e3);
            Some(Bar { label: kernel.name.clone(), value: time.as_secs_f64(), text })
        };
        let of_part: Vec<Bar> = gpu.kernels.iter().filter(|kernel| kernel.part == part).filter_map(bar).collect();
        (!of_part.is_empty()).then(|| bars(&format!("Kernels: {part}"), &of_part, most))
    };
    let charts: Vec<String> = PARTS.into_iter().filter_map(chart).collect();
    let html = match gpu.kernels.is_empty() {
        true => paragraph("Nothing ran on the device."),
        false => [
            side_by_side(&charts),
            paragraph("Raw GB/s of each part, and what the host waits for:"),
            table(&gpu.parts_table(), |column| column == 0),
            table(&gpu.kernels_table(), |column| column < 2),
        ]
        .concat(),
    };
    details(&format!("Level {}", row.level), at == 0, &html)
}
