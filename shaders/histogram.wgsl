// How often each byte value occurs, per byte of a sample. Twin: src/cpu/histogram.rs.

struct Histogram {
    // First unit of the plane, which is dense.
    base: u32,
    // The samples to count.
    first: u32,
    last: u32,
    // First of the plane's bins.
    first_bin: u32,
}

@group(0) @binding(0) var<uniform> params: Histogram;
@group(0) @binding(3) var<storage, read_write> bins: array<atomic<u32>>;

// Units that one invocation counts.
const RUN_UNITS: u32 = 16u;

// 256 bins for each byte of a sample.
var<workgroup> shared_bins: array<atomic<u32>, 2048>;

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    for (var bin = lane; bin < 256u * SAMPLE_BYTES; bin += LANES) {
        atomicStore(&shared_bins[bin & 2047u], 0u);
    }
    workgroupBarrier();

    let start = params.first / UNIT_SAMPLES + workgroup_number(id, count) * LANES * RUN_UNITS + lane;
    for (var run = 0u; run < RUN_UNITS; run += 1u) {
        let unit = start + run * LANES;
        if unit * UNIT_SAMPLES < params.last {
            let samples = load_input(params.base + unit);
            for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
                let at = unit * UNIT_SAMPLES + k;
                if at >= params.first && at < params.last {
                    let sample = unit_sample(samples, k);
                    for (var byte = 0u; byte < SAMPLE_BYTES; byte += 1u) {
                        let word = select(sample.x, sample.y, byte >= 4u);
                        let value = (word >> (8u * (byte % 4u))) & 0xffu;
                        atomicAdd(&shared_bins[(256u * byte + value) & 2047u], 1u);
                    }
                }
            }
        }
    }
    workgroupBarrier();

    for (var bin = lane; bin < 256u * SAMPLE_BYTES; bin += LANES) {
        let counted = atomicLoad(&shared_bins[bin & 2047u]);
        if counted > 0u {
            atomicAdd(&bins[params.first_bin + bin], counted);
        }
    }
}
