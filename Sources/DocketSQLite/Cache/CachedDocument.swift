import DocketStore

/// One document in a cache: a piece of memory with what is known of it, its name and its data.
///
///     │ hash │ key │ revision │ created │ updated │ expires │ sizes │ /notes/42 │ {"title": …} │
///
/// The name is the path as text: the collection, then the id. A slash ends the one and none stands in the other, so no
/// two paths have the same. It lives until `free`, and no reference is counted.
struct CachedDocument {
  /// What the row of a document says but for its texts.
  struct Fields {
    /// Of the row.
    let key: Int64
    let revision: Int64
    let created: Int64
    let updated: Int64
    let expires: Int64?
  }

  private struct Header {
    let hash: Int
    let fields: Fields
    let nameBytes: Int32
    let dataBytes: Int32
  }

  private let header: UnsafeMutablePointer<Header>

  /// What an entry takes besides its name and its data, in bytes: its header, its place in a table that may be a third
  /// full, and what the allocator needs.
  static let overheadBytes = MemoryLayout<Header>.size + 48 + 16

  init(_ fields: Fields, name: UnsafeRawBufferPointer, hash: Int, data: UnsafeRawBufferPointer) {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<Header>.size + name.count + data.count, alignment: MemoryLayout<Header>.alignment)
    header = memory.bindMemory(to: Header.self, capacity: 1)
    header.initialize(
      to: Header(hash: hash, fields: fields, nameBytes: Int32(name.count), dataBytes: Int32(data.count)))
    if let start = name.baseAddress { texts.copyMemory(from: start, byteCount: name.count) }
    if let start = data.baseAddress { (texts + name.count).copyMemory(from: start, byteCount: data.count) }
  }

  func free() {
    UnsafeMutableRawPointer(header).deallocate()
  }

  var hash: Int { header.pointee.hash }

  /// How much memory it takes, in bytes.
  var bytes: Int { Self.overheadBytes + name.count + data.count }

  var fields: Fields { header.pointee.fields }

  var name: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: texts, count: Int(header.pointee.nameBytes)) }

  var data: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: texts + Int(header.pointee.nameBytes), count: Int(header.pointee.dataBytes))
  }

  private var texts: UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(header) + MemoryLayout<Header>.size
  }
}
