import NIOCore
import Testing

@testable import docket

@Suite("Batches of an import")
struct ImportBatchTests {
  private let limits = ImportBatch.Limits(requests: 3, bytes: 30, records: 10)

  private func batch(_ requests: String...) -> ImportBatch {
    var batch = ImportBatch(firstNumber: 1)
    for (index, request) in requests.enumerated() {
      batch.append(ByteBuffer(string: request), number: index + 1, isLone: false)
    }
    return batch
  }

  @Test("hold their requests in order, and each can be taken out")
  func requests() {
    #expect(String(buffer: batch("a", "bb", "c").data) == #"{"requests": [a, bb, c]}"#)
    for (index, rest) in ["bb, c", "a, c", "a, bb"].enumerated() {
      var batch = batch("a", "bb", "c")
      #expect(batch.remove(at: index) == index + 1)
      #expect(String(buffer: batch.data) == #"{"requests": [\#(rest)]}"#)
      #expect(batch.removals == 1)
    }
    var single = batch("a")
    #expect(String(buffer: single.loneRequest) == "a")
    #expect(single.remove(at: 0) == 1 && single.isEmpty)
  }

  @Test("are full by number and by bytes, and hold one request of any size")
  func room() {
    let request = ByteBuffer(string: "12345678")
    #expect(batch().hasRoom(for: ByteBuffer(repeating: 1, count: 100), isLone: false, limits: limits))
    #expect(batch("a", "b").hasRoom(for: request, isLone: false, limits: limits))
    #expect(!batch("a", "b", "c").hasRoom(for: ByteBuffer(string: "d"), isLone: false, limits: limits))
    #expect(!batch("12345678", "1").hasRoom(for: request, isLone: false, limits: limits))
    #expect(!batch("a").hasRoom(for: request, isLone: true, limits: limits))
  }

  @Test("progress tells share, rate and what is left")
  func progress() {
    #expect(
      BulkProgress.line(
        seconds: 10, bytes: 400, newBytes: 250, totalBytes: 1000, documents: 5000, newDocuments: 3000)
        == "40%  5000 documents  300/s  0:24 left")
    #expect(
      BulkProgress.line(seconds: 2, bytes: 0, newBytes: 0, totalBytes: nil, documents: 10, newDocuments: 10)
        == "10 documents  5/s")
  }
}
