fn main() {
    let a: Vec<String> = std::env::args().collect();
    for level in a[1].split(',') {
        for p in &a[2..] {
            framepress::scratch::run(p, level.parse().unwrap(), 1);
        }
    }
}
