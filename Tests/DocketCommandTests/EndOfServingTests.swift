import DocketStore
import Testing

@testable import docket

@Suite("What is said where serving ends by a fault")
struct EndOfServingTests {
  @Test("is told in words, with what holds and what to do")
  func words() {
    let unknown = CommandFailure(endOfServing: StoreError.outcomeUnknown(reason: "disk I/O error"))
    #expect(
      unknown.description
        == "a write could not be put on disk: disk I/O error; start the server again: what was acknowledged is there, and what was answered outcome_unknown may be"
    )
    let failed = CommandFailure(endOfServing: StoreError.failed(reason: "database disk image is malformed"))
    #expect(failed.description == "the store failed: database disk image is malformed; start the server again")
    #expect(CommandFailure(endOfServing: CommandFailure("port 1 is taken")).description == "port 1 is taken")
  }
}
