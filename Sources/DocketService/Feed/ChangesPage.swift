import DocketStore
import DocketWire
import NIOCore

/// A page of changes as it grows.
struct ChangesPage: Sendable {
  private var text = ByteBuffer(staticString: "{\"items\": [")
  private var count = 0
  private var bytes = 0
  /// Of the last item.
  private var batch: Revision?
  /// Where that batch begins in the text, and how many items are before it.
  private var (textBeforeBatch, countBeforeBatch) = (0, 0)
  /// Of what was looked at last, told or not.
  private var latestBatch: Revision?
  /// Of a page that ends before a batch: the change before it.
  private var cut: Revision?

  /// - Parameter told: nil: nothing is told of it.
  mutating func add(_ change: Change, told: Told?, limit: Int, bytes limitBytes: Int) -> ScanStep {
    // What was written as one is shown as one, as far as a page can hold it.
    let continues = batch != nil && change.batch == batch
    let size = change.document?.data.readableBytes ?? 0
    guard count == 0 || ((count < limit || continues) && bytes + size <= limitBytes) else {
      if continues, countBeforeBatch > 0 { leaveBatch() }
      return .stop
    }
    latestBatch = change.batch
    guard let told else { return .next }
    if change.batch != nil, !continues { (textBeforeBatch, countBeforeBatch) = (text.writerIndex, count) }
    if count > 0 { text.writeStaticString(", ") }
    text.writeChange(change, told: told)
    text.writeStaticString("}")
    count += 1
    bytes += size
    batch = change.batch
    return .next
  }

  /// A batch of which a part is here, and not all, is for the next page.
  private mutating func leaveBatch() {
    guard let batch else { return }
    text.moveWriterIndex(to: textBeforeBatch)
    cut = Revision(batch.rawValue - 1)
  }

  /// - Parameter since: what the page begins behind.
  mutating func finish(_ end: ChangeProgress, since: Revision, _ history: String) -> ByteBuffer {
    // Where the looking has come to its end within a batch the rest of it may be told as well, on the next page.
    if !end.isAtEnd, cut == nil, let batch, batch == latestBatch, batch.rawValue - 1 > since.rawValue { leaveBatch() }
    let progress = cut.map { ChangeProgress(sequence: $0, isAtEnd: false) } ?? end
    text.writeStaticString("], \"next\": ")
    if progress.isAtEnd { text.writeStaticString("null") } else { text.writeDecimal(progress.sequence.rawValue) }
    text.writeStaticString(", \"sequence\": ")
    text.writeDecimal(progress.sequence.rawValue)
    text.writeStaticString(", \"history\": ")
    text.writeJSONString(history)
    text.writeStaticString("}")
    return text
  }
}
