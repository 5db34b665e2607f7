import DocketWire
import NIOCore

/// How far an import has come, kept in a small file, so that another one can go on from there.
struct ImportState: Equatable, Sendable {
  /// What must be the same for an import to go on: how records become requests, and batches.
  let settings: String
  /// The source's size in bytes, where it is known.
  let size: Int64?
  /// Makes the keys of this import its own.
  let run: String
  /// Behind what was acknowledged.
  var place = RecordReader.Place()
  /// How many imports have ended because the server refused the batch that begins at the place.
  var refusals = 0
  var tally = ImportTally()

  init(settings: String, size: Int64?) {
    self.settings = settings
    self.size = size
    var generator = SystemRandomNumberGenerator()
    run = String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
  }
}

extension ImportState {
  /// Reads a file that `save` has written; nil where there is none.
  /// - Throws: `CommandFailure`.
  init?(path: String) throws {
    guard FileReplacement.exists(path) else { return nil }
    let text = try InputFile.read(path: path)
    var members: [String: String] = [:]
    do {
      try text.withUnsafeReadableBytes { bytes in
        var outline = JSONOutline(bytes)
        try outline.forEachMember { name, range in
          let value = UnsafeRawBufferPointer(rebasing: bytes[range])
          members[name] = JSONOutline.text(value) ?? String(decoding: value, as: UTF8.self)
        }
      }
    } catch {
      throw CommandFailure("\(path) is no state of an import: \(error)")
    }
    func number(_ name: String) throws -> Int64 {
      guard let number = members[name].flatMap({ Int64($0) }) else {
        throw CommandFailure("\(path) is no state of an import: it has no '\(name)'")
      }
      return number
    }
    guard let settings = members["settings"], let run = members["run"] else {
      throw CommandFailure("\(path) is no state of an import: it has no 'settings' or no 'run'")
    }
    self.settings = settings
    self.run = run
    size = try members["size"] == "null" ? nil : number("size")
    place = RecordReader.Place(offset: try number("offset"), number: Int(try number("number")))
    // Files of earlier versions have none.
    refusals = try members["refusals"] == nil ? 0 : Int(number("refusals"))
    tally = ImportTally(
      imported: Int(try number("imported")), replaced: Int(try number("replaced")), skipped: Int(try number("skipped")),
      bad: Int(try number("bad")))
  }

  /// Replaces the file at once, so that it is always whole.
  /// - Throws: `CommandFailure`.
  func save(path: String) throws {
    var text = ByteBuffer(staticString: "{\"settings\": ")
    text.writeJSONString(settings)
    text.writeString(", \"size\": \(size.map { "\($0)" } ?? "null"), \"run\": ")
    text.writeJSONString(run)
    text.writeString(
      """
      , "offset": \(place.offset), "number": \(place.number), "refusals": \(refusals), \
      "imported": \(tally.imported), "replaced": \(tally.replaced), "skipped": \(tally.skipped), "bad": \(tally.bad)}

      """)
    let file = try FileReplacement(path: path)
    try file.write(text)
    try file.finish()
  }
}
