import DocketStore
import DocketWire
import NIOCore

/// How documents stand in answers.
extension ByteBuffer {
  /// `{"path": …, "id": …, "revision": …` with its brace left open.
  mutating func writeIdentity(_ path: DocumentPath, _ revision: Revision?) {
    guard !writePlainIdentity(path, revision) else { return }
    writeStaticString("{\"path\": ")
    writeJSONString(path.requestPath)
    writeStaticString(", \"id\": ")
    writeJSONString(path.id)
    writeStaticString(", \"revision\": ")
    if let revision { writeDecimal(revision.rawValue) } else { writeStaticString("null") }
  }

  /// The same, if path and id stand for themselves in a JSON string and in a path, as nearly all do; they are written in
  /// one step then. Returns whether they do.
  private mutating func writePlainIdentity(_ path: DocumentPath, _ revision: Revision?) -> Bool {
    var (collection, id) = (path.collection.description, path.id)
    return collection.withUTF8 { collection in
      id.withUTF8 { id in
        guard collection.allSatisfy(\.standsForItself), id.allSatisfy(\.standsForItself) else { return false }
        writePieces(atMost: 64 + collection.count + 2 * id.count) { writer in
          writer.appendIdentity(UnsafeRawBufferPointer(collection), UnsafeRawBufferPointer(id), revision?.rawValue)
        }
        return true
      }
    }
  }

  /// A document's path, as a JSON string that can be sent back as it is.
  mutating func writeRequestPath(_ path: DocumentPath) {
    var (collection, id) = (path.collection.description, path.id)
    let isPlain = collection.withUTF8 { collection in
      id.withUTF8 { id in
        guard collection.allSatisfy(\.standsForItself), id.allSatisfy(\.standsForItself) else { return false }
        writePieces(atMost: 2 + collection.count + id.count) { writer in
          writer.append("\"")
          writer.append(UnsafeRawBufferPointer(collection))
          writer.append(UnsafeRawBufferPointer(id))
          writer.append("\"")
        }
        return true
      }
    }
    if !isPlain { writeJSONString(path.requestPath) }
  }

  /// A document as a page shows it.
  /// - Parameters:
  ///   - data: what of the document is shown.
  ///   - match: what a search for words says of it.
  mutating func writeItem(
    _ document: DocumentView, showing data: UnsafeRawBufferPointer, found match: TextMatch? = nil, withRevision: Bool
  ) {
    let (collection, id) = (document.collection, document.id)
    let revision = withRevision ? document.revision : nil
    // What is written past the view's checks may be no UTF-8; of ASCII it is known.
    let isPlain = collection.isPlainASCII && id.isPlainASCII
    if !isPlain { writeIdentity(document.path, revision.map(Revision.init)) }
    let found = match.map(Self.init(match:)) ?? Self()
    found.withUnsafeReadableBytes { found in
      writePieces(atMost: 256 + collection.count + 2 * id.count + found.count + data.count) { writer in
        if isPlain { writer.appendIdentity(collection, id, revision) }
        writer.appendTimes(of: document)
        writer.append(found)
        writer.append(", \"document\": ")
        writer.append(data)
        writer.append("}")
      }
    }
  }

  /// `, "score": …, "snippet": …`
  private init(match: TextMatch) {
    self.init()
    if let score = match.score {
      writeStaticString(", \"score\": ")
      writeString(score.description)
    }
    writeStaticString(", \"snippet\": ")
    writeJSONString(match.snippet)
  }
}

extension PieceWriter {
  /// Of a path that stands for itself in a JSON string and in a path.
  fileprivate mutating func appendIdentity(
    _ collection: UnsafeRawBufferPointer, _ id: UnsafeRawBufferPointer, _ revision: Int64?
  ) {
    append("{\"path\": \"")
    append(collection)
    append(id)
    append("\", \"id\": \"")
    append(id)
    append("\", \"revision\": ")
    if let revision { append(decimal: revision) } else { append("null") }
  }

  fileprivate mutating func appendTimes(of document: DocumentView) {
    withUnsafeTemporaryAllocation(byteCount: Timestamp.textBytes, alignment: 1) { text in
      Timestamp(milliseconds: document.created).writeText(to: text)
      append(", \"created\": \"")
      append(UnsafeRawBufferPointer(text))
      // Most documents are as they were made.
      if document.updated != document.created { Timestamp(milliseconds: document.updated).writeText(to: text) }
      append("\", \"updated\": \"")
      append(UnsafeRawBufferPointer(text))
      if let expires = document.expires {
        Timestamp(milliseconds: expires).writeText(to: text)
        append("\", \"expires\": \"")
        append(UnsafeRawBufferPointer(text))
      }
      append("\"")
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate var isPlainASCII: Bool { allSatisfy { $0 < 0x80 && $0.standsForItself } }
}

extension UInt8 {
  /// Whether a byte of a path needs an escape neither in JSON nor in a path.
  fileprivate var standsForItself: Bool {
    switch self {
    case ..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "%"), UInt8(ascii: "?"), UInt8(ascii: "#"): false
    default: true
    }
  }
}
