import DocketStore

/// One document in the cache: a piece of memory with what is known of it, its name and its data.
///
///     │ hash │ revision │ created │ updated │ expires │ sizes │ /notes/42 │ {"title": …} │
///
/// The name is the path as text: the collection, then the id. A slash ends the one and none stands in the other, so no
/// two paths have the same. It lives until `free`, and no reference is counted.
struct CachedDocument {
  private struct Fields {
    let hash: Int
    let revision: Int64
    let created: Int64
    let updated: Int64
    /// `Int64.max`: never.
    let expires: Int64
    let nameBytes: Int32
    let dataBytes: Int32
  }

  private let fields: UnsafeMutablePointer<Fields>

  /// What an entry takes besides its name and its data, in bytes: these fields, its place in a table that may be a
  /// third full, and what the allocator needs.
  static let overheadBytes = MemoryLayout<Fields>.size + 48 + 16

  init(_ document: Document, name: UnsafeRawBufferPointer, hash: Int) {
    let dataBytes = document.data.readableBytes
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<Fields>.size + name.count + dataBytes, alignment: MemoryLayout<Fields>.alignment)
    fields = memory.bindMemory(to: Fields.self, capacity: 1)
    fields.initialize(
      to: Fields(
        hash: hash, revision: document.revision.rawValue, created: document.created.milliseconds,
        updated: document.updated.milliseconds, expires: document.expires?.milliseconds ?? .max,
        nameBytes: Int32(name.count), dataBytes: Int32(dataBytes)))
    if let start = name.baseAddress { texts.copyMemory(from: start, byteCount: name.count) }
    document.data.withUnsafeReadableBytes { data in
      if let start = data.baseAddress { (texts + name.count).copyMemory(from: start, byteCount: data.count) }
    }
  }

  func free() {
    UnsafeMutableRawPointer(fields).deallocate()
  }

  var hash: Int { fields.pointee.hash }

  /// How much memory it takes, in bytes.
  var bytes: Int { Self.overheadBytes + Int(fields.pointee.nameBytes) + Int(fields.pointee.dataBytes) }

  var name: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: texts, count: Int(fields.pointee.nameBytes)) }

  var data: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: texts + Int(fields.pointee.nameBytes), count: Int(fields.pointee.dataBytes))
  }

  /// - Parameter wall: the time by which documents expire.
  func isExpired(wall: Int64) -> Bool { fields.pointee.expires <= wall }

  /// A copy of it.
  /// - Parameter path: its path.
  func document(at path: DocumentPath) -> Document {
    Document(
      path: path, revision: Revision(fields.pointee.revision),
      created: Timestamp(milliseconds: fields.pointee.created),
      updated: Timestamp(milliseconds: fields.pointee.updated),
      expires: fields.pointee.expires == .max ? nil : Timestamp(milliseconds: fields.pointee.expires),
      data: .init(bytes: data))
  }

  private var texts: UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(fields) + MemoryLayout<Fields>.size
  }
}
