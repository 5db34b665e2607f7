import NIOCore
import Testing

@testable import DocketService

@Suite("The reading of a page of what a watch has missed")
struct PageEndTests {
  @Test("ends when its time is over, but not before something was looked at")
  func time() {
    let beginning = NIODeadline.uptimeNanoseconds(1)
    let end = PageEnd(of: beginning)
    #expect(!end.hasCome(behind: 1, at: beginning))
    #expect(!end.hasCome(behind: 1_000, at: beginning + .milliseconds(5)))
    #expect(end.hasCome(behind: 1, at: beginning + .milliseconds(6)))
    #expect(!end.hasCome(behind: 0, at: beginning + .seconds(60)))
  }
}
