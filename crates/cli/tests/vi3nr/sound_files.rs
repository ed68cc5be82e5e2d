//! Audio files made byte by byte.

/// How a WAV file holds its samples.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    Whole(u16),
    Float(u16),
}

/// A WAV file; `samples` are on [-1, 1], the channels of a moment side by side.
pub(crate) fn wav(format: Format, channels: u16, rate: u32, samples: &[f64]) -> Vec<u8> {
    let (tag, bits) = match format {
        Format::Whole(bits) => (1u16, bits),
        Format::Float(bits) => (3, bits),
    };
    let largest = |bits: u16| (f64::from(bits) - 1.0).exp2() - 1.0;
    let data: Vec<u8> = samples
        .iter()
        .flat_map(|&sample| match format {
            Format::Whole(8) => vec![(sample * largest(8) + 128.0).round() as u8],
            Format::Whole(bits) => {
                let whole = (sample * largest(bits)).round() as i32;
                whole.to_le_bytes()[..usize::from(bits / 8)].to_vec()
            }
            Format::Float(64) => sample.to_le_bytes().to_vec(),
            Format::Float(_) => (sample as f32).to_le_bytes().to_vec(),
        })
        .collect();
    riff(tag, bits, channels, rate, &data)
}

/// The RIFF chunks around `data`.
pub(crate) fn riff(tag: u16, bits: u16, channels: u16, rate: u32, data: &[u8]) -> Vec<u8> {
    let block = channels * (bits / 8);
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// A tone of `count` moments, the same in all channels but half as loud in each further one.
pub(crate) fn tone(count: usize, channels: usize) -> Vec<f64> {
    let value = |moment: usize| 0.5 * (moment as f64 * 0.05).sin();
    (0..count * channels)
        .map(|i| value(i / channels) * 0.5f64.powi((i % channels) as i32))
        .collect()
}

/// A remainder as FLAC computes it, most significant bit first.
fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
    let top = 1 << (width - 1);
    let step = |crc: u32| if crc & top != 0 { (crc << 1) ^ polynomial } else { crc << 1 };
    let mask = (top << 1) - 1;
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << (width - 8)), |crc, _| step(crc) & mask)
    })
}

/// A FLAC file of one channel and 16 bits without any compression, one block of 192 samples.
pub(crate) fn flac(rate: u32, samples: &[i16; 192]) -> Vec<u8> {
    let mut file = b"fLaC".to_vec();
    // The only block of metadata, of 34 bytes: sizes of blocks and frames, then rate (20 bits),
    // channels - 1 (3), bits - 1 (5), samples (36), no MD5 sum.
    file.extend([0x80, 0, 0, 34, 0, 192, 0, 192, 0, 0, 0, 0, 0, 0]);
    file.extend((u64::from(rate) << 44 | 15 << 36 | 192).to_be_bytes());
    file.extend([0; 16]);
    // Fixed block size 192, rate from the metadata, one channel, 16 bits, frame 0.
    let mut frame = vec![0xFF, 0xF8, 0x10, 0x08, 0];
    frame.push(crc(&frame, 8, 0x07) as u8);
    // A verbatim subframe.
    frame.push(0x02);
    frame.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
    let sum = crc(&frame, 16, 0x8005) as u16;
    frame.extend(sum.to_be_bytes());
    file.extend(frame);
    file
}

/// An MP3 file of silence: frames of 1,152 samples of one channel at 44.1 kHz and 128 kbit/s.
pub(crate) fn mp3(frames: usize) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xFB, 0x90, 0xC0];
    frame.resize(417, 0);
    frame.repeat(frames)
}
