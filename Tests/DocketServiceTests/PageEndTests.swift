import NIOCore
import Testing

@testable import DocketService

@Suite("The reading of a page of what a watch has missed")
struct PageEndTests {
  private let beginning = NIODeadline.uptimeNanoseconds(1)

  @Test("ends when its time is over, but not before something was looked at")
  func time() {
    var end = PageEnd(of: beginning)
    #expect([0, 5, 6].map { end.hasCome(at: beginning + .milliseconds($0)) } == [false, false, true])
  }

  @Test("takes as long for looking as for what had to be read before, which the next page reads again")
  func preparation() {
    var end = PageEnd(of: beginning)
    #expect([20, 40, 41].map { end.hasCome(at: beginning + .milliseconds($0)) } == [false, false, true])
  }
}
