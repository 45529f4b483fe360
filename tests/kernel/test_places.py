"""Area codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.places import LEVELS, level_of, parent_of

digits = st.text("0123456789", min_size=15, max_size=15)


@given(digits)
def test_a_code_nests_grid_in_community_in_subdistrict_in_district(code: str) -> None:
    community, subdistrict, district = code[:12], code[:9], code[:6]

    assert [level_of(part) for part in (district, subdistrict, community, code)] == list(LEVELS)
    assert [parent_of(part) for part in (code, community, subdistrict, district)] == [community, subdistrict, district, None]


@pytest.mark.parametrize("code", ["", "12010", "1201041", "12010400a", "１２０１０４", "120104\n", " 20104", "1201040010010011"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(BadInputError, match="6, 9, 12 or 15 digits"):
        level_of(code)
