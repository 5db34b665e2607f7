import DocketJSON
import DocketStore
import DocketWire
import NIOCore

/// The frames of watches, up to their `id`.
extension ByteBuffer {
  /// - Parameter addition: what the data has more.
  mutating func writeChangeFrame(_ change: Change, _ told: Told, _ addition: ByteBuffer?) {
    writeFrameStart()
    writeChange(change, told: told)
    writeDataEnd(addition)
  }

  mutating func writeSnapshotFrame(_ document: DocumentView, _ addition: ByteBuffer?) {
    writeFrameStart()
    writeSnapshot(document)
    writeDataEnd(addition)
  }

  mutating func writeMarkerFrame(_ change: StaticString, at sequence: Revision, _ addition: ByteBuffer?) {
    writeFrameStart()
    writeMarker(change, at: sequence)
    writeDataEnd(addition)
  }

  private mutating func writeDataEnd(_ addition: ByteBuffer?) {
    if let addition { writeImmutableBuffer(addition) }
    writeStaticString("}")
  }
}

extension String {
  /// Of the name of a history: what the first frame of a watch has more in its data.
  var feedAddition: ByteBuffer {
    var text = ByteBuffer(staticString: ", \"history\": ")
    text.writeJSONString(self)
    return text
  }
}
