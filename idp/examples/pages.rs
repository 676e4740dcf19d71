//! Writes every sample page and the assets into a folder, to look at them: `cargo run --example pages -- DIR [#rrggbb]`.
//!
//! Serve the folder at `/` (the pages link `/assets/…`); nothing of this is in the product.

use std::path::PathBuf;

use idp::views::samples::{sample_frame, sample_pages};
use idp::views::{Frame, Views};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let views = Views::new(None)?;
    let frame = Frame { brand_color: arguments.next(), ..sample_frame() };
    std::fs::create_dir_all(folder.join("assets/brand"))?;
    for (name, page) in sample_pages() {
        std::fs::write(folder.join(name).with_extension("html"), views.render(&page, &frame)?)?;
    }
    let brand = frame.brand_color.map(|color| format!("brand/{}.css", color.trim_start_matches('#')));
    for path in views.asset_paths().map(str::to_owned).chain(brand) {
        if let Some(asset) = views.asset(&path) {
            std::fs::write(folder.join("assets").join(path), asset.bytes)?;
        }
    }
    Ok(())
}
