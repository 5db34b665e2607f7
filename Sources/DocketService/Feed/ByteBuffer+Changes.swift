import DocketJSON
import DocketStore
import DocketWire
import NIOCore

/// How changes stand in answers and in the frames of watches.
extension ByteBuffer {
  /// `{"sequence": 18, "change": "updated", "path": …, "revision": 18, "document": …, "at": …`, its brace left open.
  mutating func writeChange(_ change: Change, told: Told) {
    let data = change.document?.data
    writePieces(atMost: 64) { writer in
      writer.append("{\"sequence\": ")
      writer.append(decimal: change.sequence.rawValue)
      writer.append(told.member)
    }
    writeRequestPath(change.path)
    writePieces(atMost: 160 + (data?.readableBytes ?? 0)) { writer in
      writer.append(", \"revision\": ")
      writer.append(decimal: change.sequence.rawValue)
      writer.append(", \"document\": ")
      if let data { data.withUnsafeReadableBytes { writer.append($0) } } else { writer.append("null") }
      writer.appendTime(", \"at\": \"", change.at)
      if let batch = change.batch {
        writer.append(", \"batch\": ")
        writer.append(decimal: batch.rawValue)
      }
      if change.defect != nil { writer.append(", \"error\": \"invalid_document\"") }
    }
  }

  /// A document of a snapshot, its brace left open.
  mutating func writeSnapshot(_ document: DocumentView) {
    writeStaticString("{\"sequence\": null, \"change\": \"snapshot\", \"path\": ")
    writeRequestPath(document.path)
    writePieces(atMost: 128 + document.data.count) { writer in
      writer.append(", \"revision\": ")
      writer.append(decimal: document.revision)
      writer.append(", \"document\": ")
      writer.append(document.data)
      writer.appendTime(", \"at\": \"", Timestamp(milliseconds: document.updated))
    }
  }

  /// `{"sequence": 17, "change": "live"`, its brace left open.
  mutating func writeMarker(_ change: StaticString, at sequence: Revision) {
    writePieces(atMost: 64) { writer in
      writer.append("{\"sequence\": ")
      writer.append(decimal: sequence.rawValue)
      writer.append(", \"change\": \"")
      writer.append(change)
      writer.append("\"")
    }
  }
}

extension Told {
  fileprivate var member: StaticString {
    switch self {
    case .created: ", \"change\": \"created\", \"path\": "
    case .updated: ", \"change\": \"updated\", \"path\": "
    case .deleted: ", \"change\": \"deleted\", \"path\": "
    case .expired: ", \"change\": \"expired\", \"path\": "
    case .left: ", \"change\": \"left\", \"path\": "
    }
  }
}

extension PieceWriter {
  /// - Parameter name: what stands before the time, its opening quote included.
  fileprivate mutating func appendTime(_ name: StaticString, _ time: Timestamp) {
    append(name)
    withUnsafeTemporaryAllocation(byteCount: Timestamp.textBytes, alignment: 1) { text in
      time.writeText(to: text)
      append(UnsafeRawBufferPointer(text))
    }
    append("\"")
  }
}
